// SPDX-License-Identifier: Apache-2.0

//go:build providers

package cluster

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

var measured = []string{"create", "get", "list of 1,000", "list of 10,000", "restart, 1 seed", "restart, 1,000 seeds"}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// ratio is the median of the rounds' ratios and where 95 % of the redrawn medians lie, as
// bench/analysis/stats.py has it; of fewer than six rounds the interval is too narrow.
func ratio(upper, lower []float64) (mid, low, high float64) {
	logs := make([]float64, len(upper))
	for i := range upper {
		logs[i] = math.Log(upper[i] / lower[i])
	}
	const draws = 2000
	source := rand.New(rand.NewPCG(1, 1))
	drawn := make([]float64, draws)
	for d := range drawn {
		redrawn := make([]float64, len(logs))
		for i := range redrawn {
			redrawn[i] = logs[source.IntN(len(logs))]
		}
		drawn[d] = median(redrawn)
	}
	slices.Sort(drawn)
	return math.Exp(median(logs)), math.Exp(drawn[draws/40]), math.Exp(drawn[draws-1-draws/40])
}

func column(rounds []figures, what string) (values []float64) {
	for _, f := range rounds {
		if v, there := f[what]; there {
			values = append(values, v)
		}
	}
	return values
}

// printTable is Markdown: milliseconds, and the ratio to identity with its interval.
func printTable(all [][]figures) {
	fmt.Printf("\n| | provider | ms | to identity | 95 %% |\n| --- | --- | --- | --- | --- |\n")
	for _, what := range measured {
		base := column(all[0], what)
		for i, k := range contenders {
			values := column(all[i], what)
			if len(values) == 0 {
				continue
			}
			fmt.Printf("| %s | %s | %.2f |", what, k.name, median(values))
			if lower := base; len(lower) == len(values) {
				mid, low, high := ratio(values, lower)
				fmt.Printf(" %.3f | %.3f to %.3f |\n", mid, low, high)
			} else {
				fmt.Printf(" | |\n")
			}
		}
	}
}

func TestRatio__of_equals_is_one(t *testing.T) {
	if mid, low, high := ratio([]float64{1, 2, 3, 4, 5, 6}, []float64{1, 2, 3, 4, 5, 6}); mid != 1 || low != 1 || high != 1 {
		t.Errorf("%f, %f to %f", mid, low, high)
	}
	if mid, low, high := ratio([]float64{2, 2, 2, 2, 2, 3}, []float64{1, 1, 1, 1, 1, 1}); math.Abs(mid-2) > 1e-9 || low > mid || high < mid {
		t.Errorf("%f, %f to %f", mid, low, high)
	}
}
