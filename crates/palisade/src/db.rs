//! What is kept: statements that are literals, values that are bound, rows that are typed.
