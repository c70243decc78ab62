//! How many requests at once, and how many a second, a host gets.
