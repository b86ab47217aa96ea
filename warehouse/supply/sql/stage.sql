COPY {staged} ({columns}) FROM STDIN
