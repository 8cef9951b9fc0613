// Consensus: Raft as a pure state machine.
//
// Owns one member's view of one group: term and vote, the log (term runs for all of it, entries for the newest part),
// the progress of every peer, elections with PreVote and CheckQuorum, replication with a bounded window, commitment,
// linearizable reads (ReadIndex) and the transfer of leadership. Quorums come from a `Configuration` value, joint
// consensus and learners included.
//
// It never does I/O, never reads a clock, never draws a random number: messages, time and randomness come in as
// parameters; messages, disk writes, committed entries and read grants leave through `RaftEffects`. The same calls give
// the same effects on every machine. It never looks into a payload.
//
// The rule that everything else stands on: what this member promises (a vote, an acknowledgement) leaves only after
// what it promised is durable. `Raft+Persistence` keeps it; nothing else releases such a message.
//
// Start with `RaftEffects` (what the owner has to do, and in which order), then `Raft` (the state and the calls), then
// by topic: `Raft+Election`, `Raft+Append` (the follower's side), `Raft+Replication` (the leader's side),
// `Raft+Thrift` (which peers get each frame at once), `Raft+Read`, `Raft+Install`, `Raft+Transfer`, `Raft+Persistence`. `RaftInvariants`
// says what holds between calls, `ClusterInvariants` what holds between members.
//
// Sources cited as "paper": Ongaro and Ousterhout, In Search of an Understandable Consensus Algorithm (2014, extended
// version); as "thesis": Ongaro, Consensus: Bridging Theory and Practice (2014).
