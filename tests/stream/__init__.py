"""Everything that knows Kafka, shown with the genuine servers."""
