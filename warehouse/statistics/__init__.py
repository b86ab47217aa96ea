"""Published and reported statistics: what counted on a day, every vintage of it, sums and chains that mix nothing."""
