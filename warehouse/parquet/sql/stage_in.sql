COPY pg_temp.g60_stage ({columns}) FROM STDIN (FORMAT csv)
