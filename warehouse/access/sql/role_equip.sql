-- What every role of ours has. Nothing here keeps anybody from seeing more: the views do that.
GRANT CONNECT ON DATABASE {database} TO {role};
ALTER ROLE {role} CONNECTION LIMIT 20;
ALTER ROLE {role} IN DATABASE {database} SET search_path = look, published;
ALTER ROLE {role} IN DATABASE {database} SET default_transaction_read_only = {only_reads};
ALTER ROLE {role} IN DATABASE {database} SET statement_timeout = {patience};
ALTER ROLE {role} IN DATABASE {database} SET idle_in_transaction_session_timeout = '5min'
