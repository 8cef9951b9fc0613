// Database: the deterministic state machine of a group.
//
// Owns the command table, the batch format that log entries carry, the sixteen keyspaces with their values and
// deadlines, the sessions of the nodes' runs, and the bodies of all commands that read or change data.
//
// It never does I/O, never reads a clock, never draws a random number that an entry's seed did not give, and never
// writes to anything but the reply buffer that it was handed. Two nodes that apply the same entries have the same
// digest, whatever their platform, their history of restarts or the layout of their memory.
//
// Where to start reading:
// - `StateMachine`: begin an entry, step through its items, execute, end. Sessions and expiry are decided there.
// - `CommandTable` and `Command`: what commands exist, their arity, flags and keys, and the function that runs them.
//   One file of data for each group in `Table/`, one file of bodies for each family in `Commands/`.
// - `Execution`: what a command's body sees: arguments, reply, keys, time, random numbers.
// - `Keyspace`, `Segment`, `Entry`: the table in memory, from the outside in.
// - `CommandBatch`: the bytes of a log entry.
// - `StateRecord` and `StateLoader` (`State/`): the whole state as bytes, recorded slice by slice while commands go on, and back.
//
// Sources: DESIGN sections 4, 5 and 9 (docs/ARCHITECTURE.md), and the behaviour of Redis 7.2.
