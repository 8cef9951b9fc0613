import Testing

/// Tests with real processes: the programs as they are built, real sockets, real disks, real signals.
///
/// What the simulator proves with simulated machines is shown here once more where nothing is simulated: leaders are killed under
/// load, processes are stopped in the middle of what they do, disks fill up, strangers talk to every port, and stock clients are
/// used as they are. `TestCluster` starts and ends the nodes, `Client` talks to them, `Load` writes and remembers what was
/// acknowledged, `Audit` compares.
///
/// One test at a time: each starts several processes, and they should have the machine to themselves. Nothing waits for a fixed
/// time; whatever is waited for has a deadline that only a fault reaches.
@Suite(.serialized) struct ClusterTests {}
