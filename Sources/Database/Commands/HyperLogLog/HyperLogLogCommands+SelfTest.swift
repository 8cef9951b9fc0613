import Base
import RESP

// PFSELFTEST: values of its own, none of the database's. Redis's takes seconds; this one is short enough for a server that works.
extension HyperLogLogCommands {
    private static let registerRounds = 4
    private static let elementsMax = 100_000
    /// Standard errors that an estimate may be off: one of millions is further away, and the elements are always the same.
    private static let standardErrorsMax = 5.0

    static func pfselftest(_ execution: Execution) {
        var random = RandomGenerator(seed: 1)
        if let wrong = wrongRegister(&random) ?? wrongEstimate() {
            return execution.reply.error(text: "TESTFAILED \(wrong)")
        }
        execution.reply.ok()
    }

    /// Writes random values over all registers and reads each again, alone and all in turn.
    private static func wrongRegister(_ random: inout RandomGenerator) -> String? {
        var bytes = [UInt8](repeating: 0, count: HyperLogLog.denseBytes)
        for _ in 0..<registerRounds {
            let values = (0..<HyperLogLog.registers).map { _ in UInt8(random.index(below: 64)) }
            bytes.withUnsafeMutableBytes { bytes in
                for (register, value) in values.enumerated() { HyperLogLog.setDenseValue(bytes, register, value) }
            }
            var wrong: Int?
            bytes.withView { view in
                for (register, value) in values.enumerated() where HyperLogLog.denseValue(view, register) != value {
                    wrong = register
                }
                HyperLogLog.forEachDense(view) { register, value in
                    if value != values[register] { wrong = register }
                }
            }
            if let wrong { return "Register \(wrong) does not hold what was written to it" }
        }
        return nil
    }

    /// Adds elements to a value that begins small and to one that is large from the start, and looks at both estimates on the way.
    private static func wrongEstimate() -> String? {
        var growing = HyperLogLog.empty()
        var large = HyperLogLog.empty()
        var checkpoint = 1
        for number in 1...elementsMax {
            let element = withUnsafeBytes(of: UInt64(number).littleEndian) { Array($0) }
            let (register, value) = element.withView { HyperLogLog.place(of: $0) }
            let isDamaged =
                HyperLogLog.raise(&growing, register, to: value, sparseBytesMax: 3000) == .damaged
                || HyperLogLog.raise(&large, register, to: value, sparseBytesMax: 0) == .damaged
            if isDamaged { return "A value of \(number) elements is damaged" }
            if number < checkpoint { continue }
            guard let estimate = growing.withView({ HyperLogLog.count($0) }),
                large.withView({ HyperLogLog.count($0) }) == estimate
            else { return "The sparse and the dense form of \(number) elements do not count alike" }
            let error = 1.04 / Double(HyperLogLog.registers).squareRoot() * Double(number)
            if (Double(estimate) - Double(number)).magnitude > max(1, standardErrorsMax * error) {
                return "Too big error. card:\(number) estimate:\(estimate)"
            }
            checkpoint *= 10
        }
        return nil
    }
}
