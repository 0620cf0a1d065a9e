# SPDX-License-Identifier: Apache-2.0
# One manual page, man(7), of what a program says of itself on standard input.
#
#   form=verb|list|settings name=NAME section=N about=TEXT version=V awk -f page.awk
#
# The words come by the environment, as -v would take their backslashes for escapes.
# verb      a --help: "usage: …", text, options two columns in, text, "exit status: …"
# list      the same, with verbs instead of options
# settings  keywardd --describe-config: a name, and below it what it may be and what it is
#
# Every character of the input stands for itself: the ones that mean something to roff are
# escaped here, and none goes into a macro's argument unescaped.

function escaped(s) {
  gsub(/\\/, "\\e", s)
  gsub(/-/, "\\-", s)
  gsub(/'/, "\\(aq", s)
  gsub(/`/, "\\(ga", s)
  gsub(/\^/, "\\(ha", s)
  gsub(/~/, "\\(ti", s)
  gsub(/"/, "\\(dq", s)
  return s
}
# A line of text: one that begins with a dot is no request.
function say(s) {
  s = escaped(s)
  print (substr(s, 1, 1) == "." ? "\\&" : "") s
}
function bold(s) { return "\\fB" escaped(s) "\\fR" }
function section_is(title) {
  if (title != at)
    print ".SH " title
  at = title
  is_apart = 0
}
# Of lines that begin with a blank roff makes lines of their own.
function text(line) {
  if (line == "") {
    is_apart = 1
    return
  }
  if (is_apart)
    print ".PP"
  is_apart = 0
  say(line)
}
function tagged(tag, line) {
  print ".TP"
  print tag
  say(line)
}
function synopsis(line) {
  section_is("SYNOPSIS")
  if (has_synopsis)
    print ".br"
  has_synopsis = 1
  match(line, /^[^ ]+( [a-z]+)*/)
  print bold(substr(line, 1, RLENGTH)) escaped(substr(line, RLENGTH + 1))
}
# "  --name VALUE  what it is"
function option(line, name_len) {
  section_is("OPTIONS")
  line = substr(line, 3)
  match(line, /^--[a-z0-9-]+( [A-Z][^ ]*)?/)
  name_len = RLENGTH
  head = substr(line, 1, name_len)
  line = substr(line, name_len + 1)
  sub(/^ +/, "", line)
  match(head, /^[^ ]+/)
  tagged(bold(substr(head, 1, RLENGTH)) escaped(substr(head, RLENGTH + 1)), line)
}
# "  words of a verb  what it does"
function verb(line, words) {
  section_is("VERBS")
  line = substr(line, 3)
  match(line, /^[a-z]+( [a-z]+)*/)
  words = substr(line, 1, RLENGTH)
  line = substr(line, RLENGTH + 1)
  sub(/^ +/, "", line)
  tagged(bold(words), line)
}

BEGIN {
  form = ENVIRON["form"]
  name = ENVIRON["name"]
  print ".\\\" Made from what the program says of itself (docs/man/pages)."
  print ".TH " escaped(toupper(name)) " " ENVIRON["section"] " \"\" \"keyward " ENVIRON["version"] "\" \"keyward\""
  print ".ad l" # words are not stretched over a line
  print ".nh"
  section_is("NAME")
  print escaped(name) " \\- " escaped(ENVIRON["about"])
  place = "usage"
}
form == "settings" {
  if (NR == 1)
    section_is("SETTINGS")
  if ($0 !~ /^ /) {
    rows = 0
    print ".TP"
    print bold($0)
  } else {
    sub(/^ +/, "")
    if (rows++)
      print ".br"
    say($0)
  }
  next
}
/^usage: / { synopsis(substr($0, 8)); next }
place == "usage" && /^       / { synopsis(substr($0, 8)); next }
place == "usage" { place = "text" }
place == "exit" { say($0); next }
/^[Ee]xit status: / {
  place = "exit"
  section_is("EXIT STATUS")
  say(substr($0, 14))
  next
}
place == "text" && /^  --/ { place = "options" }
place == "text" && form == "list" && /^  [a-z]/ { place = "options" }
place == "options" && /^  --/ { option($0); next }
place == "options" && form == "list" && /^  [a-z]/ { verb($0); next }
place == "options" && /^          / { sub(/^ +/, ""); say($0); next }
place == "options" && $0 == "" { place = "more"; next }
place == "more" { section_is("NOTES"); place = "notes" }
at == "SYNOPSIS" && $0 != "" { section_is("DESCRIPTION") }
at != "SYNOPSIS" { text($0) }
