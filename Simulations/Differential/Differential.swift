// Coracle held against a real Redis, reply by reply.
//
// A seed and a number make a sequence of commands (Generation/, Shapes/): a few keys that all families fight over, arguments that are
// right, nearly right and wrong. A sequence is run on two subjects (Run/), first on the peer, a redis-server, then on Coracle, and
// every reply of the one is held against the other's (Comparison/): byte for byte, except where Redis promises less. Where the two
// may differ, a rule with a name says so (KnownDifferences.swift); docs/reference/differences.md tells the reader the same. The
// first reply that differs otherwise ends the run, and the sequence is made shorter for as long as it still shows the difference.
//
// It owns what is asked and how answers are judged. It opens no socket, starts no process and reads no clock: the program kvdiff
// brings subjects that do. The same seed makes the same sequence on every machine.
//
// Start reading at CommandSequence.swift, then PairRun.swift. A new family of commands is one file in Shapes/ and a line in
// ShapeTable.swift; a test fails for every command of the table that is neither there nor among the exclusions.
