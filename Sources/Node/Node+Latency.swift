import Base
import Database
import RESP

/// Commands answered with the same time, not counted yet.
struct AnsweredCommands {
    var index = -1
    var time = Nanoseconds(0)
    var count: UInt64 = 0
    var isSlow = false
}

/// What became of commands in time: counted, and kept when slow. Times go from turn to turn (`SlowLog` says why).
extension Node {
    /// Notes that a command was answered in this turn that was taken at `taken`.
    ///
    /// Commands of one batch have the same time: they are counted together, and looked at once when they are not slow.
    @inline(__always)
    func noteAnswered(_ index: Int, _ arguments: Arguments, _ connection: ClientConnection, taken: Instant) {
        let time = now.instant - taken
        if answered.index == index && answered.time == time && !answered.isSlow {
            answered.count += 1
        } else {
            noteFirstAnswered(index, arguments, connection, time)
        }
    }

    private func noteFirstAnswered(_ index: Int, _ arguments: Arguments, _ connection: ClientConnection, _ time: Nanoseconds) {
        countAnswered()
        let isSlow = configuration.slowTime.map { time >= $0 } ?? false
        answered = AnsweredCommands(index: index, time: time, count: 1, isSlow: isSlow)
        if isSlow {
            slowLog.note(
                arguments, secrets: secretArguments(index, arguments), time: time, client: connection,
                seconds: now.wall.milliseconds / 1000, limit: configuration.slowLogMax)
        }
        noteLatency("command", time)
    }

    /// Notes that the command was answered whose reply the node owed (DEBUG SLEEP, SAVE, …).
    func noteOwed(_ connection: ClientConnection) {
        guard let owed = connection.owed else { return }
        connection.owed = nil
        readArguments.replace(with: owed.words)
        noteAnswered(owed.index, readArguments, connection, taken: owed.taken)
    }

    /// Puts what was counted together into the histogram of its command.
    func countAnswered() {
        if answered.count > 0 && configuration.tracksLatency {
            if statistics.commandCounts[answered.index].times == nil {
                statistics.commandCounts[answered.index].times = DurationHistogram()
            }
            statistics.commandCounts[answered.index].times?.record(answered.time, count: answered.count)
        }
        answered.count = 0
        answered.index = -1
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
