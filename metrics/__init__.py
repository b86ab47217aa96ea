"""What is made of the warehouse: indicators, and later alerts, dashboards, API and reports."""
