import Base
import Database
import RESP

/// What became of commands in time: counted, and kept when slow. Times go from turn to turn (`SlowLog` says why).
extension Node {
    /// Notes that a command was answered in this turn that was taken at `taken`.
    func noteAnswered(_ command: Command, _ arguments: Arguments, _ connection: ClientConnection, taken: Instant) {
        let time = now.instant - taken
        if configuration.tracksLatency {
            if statistics.commandCounts[command.index].times == nil {
                statistics.commandCounts[command.index].times = DurationHistogram()
            }
            statistics.commandCounts[command.index].times?.record(time)
        }
        if let limit = configuration.slowTime, time > limit {
            slowLog.note(
                arguments, time: time, client: connection, seconds: now.wall.milliseconds / 1000, limit: configuration.slowLogMax)
        }
        noteLatency("command", time)
    }

    /// Notes a delay if it is long enough for LATENCY.
    func noteLatency(_ event: StaticString, _ time: Nanoseconds) {
        guard let threshold = configuration.latencyThreshold, time >= threshold else { return }
        latencies.note(event, time, seconds: now.wall.milliseconds / 1000)
    }

    // MARK: CLIENT PAUSE

    /// Whether a command has to wait for the end of a pause. CLIENT itself never does, so that a pause can be ended.
    func isPaused(_ command: Command) -> Bool {
        guard let pause, now.instant < pause.until else { return false }
        return command.scope == .write || (pause.holdsReads && !command.fullName.hasPrefix("client"))
    }

    /// Lets go on who waited for the end of a pause, when it is there.
    func endPause() {
        guard let pause, now.instant >= pause.until else { return }
        self.pause = nil
        resumable.append(contentsOf: paused)
        paused.removeAll()
        isTurnWanted = isTurnWanted || !resumable.isEmpty
    }
}
