//! The dispatch machine against a table of small stories.
