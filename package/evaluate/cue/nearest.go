package main

import "fmt"

// nearest is the one of `names` that was probably meant by `word`, or nothing:
// at most a third of its letters differ.
func nearest(word string, names []string) string {
	best, least := "", len(word)/3+1
	for _, name := range names {
		if distance := distance(word, name); distance < least || distance == least && best == "" && distance < len(word) && distance <= 2 {
			best, least = name, distance
		}
	}
	return best
}

func didYouMean(word string, names []string) string {
	if meant := nearest(word, names); meant != "" {
		return fmt.Sprintf("; did you mean `%s`?", meant)
	}
	return ""
}

// distance is how many letters must be changed, added or taken away; two
// neighbours that changed places count once.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
