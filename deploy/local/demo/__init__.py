"""The demo: a real load curve, synthetic enterprises made from it, a judge of what arrived (合成数据)."""
