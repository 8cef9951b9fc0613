import ArgumentParsing
import Base
import Consensus
import DistributedSnapshot
import Node

/// `kvctl snapshot verify DIR`: whether a snapshot keeps what a consistent cut must.
enum SnapshotVerify {
    static func verify(_ values: Values) throws(Failure) -> Int32 {
        let snapshot = try SnapshotDirectory(values[Tool.snapshotDirectory], isQuiet: values[Tool.json])
        let result = CutVerification(snapshot.manifest, snapshot.parts)
        if values[Tool.json] {
            Console.output(json(result) + "\n")
            return result.holds ? 0 : 1
        }
        for check in result.checks {
            Console.output("\(check.problems.isEmpty ? "ok    " : "FAILED") \(check.name) (\(check.count) \(check.items))\n")
            for problem in check.problems { Console.output("       \(problem)\n") }
        }
        return result.holds ? 0 : 1
    }

    private static func json(_ result: CutVerification) -> String {
        let checks = result.checks.map { check in
            JSON.object([
                ("name", JSON.string(check.name)), ("items", JSON.string(check.items)), ("count", "\(check.count)"),
                ("problems", "[" + check.problems.map { JSON.string($0) }.joined(separator: ",") + "]"),
            ])
        }
        return JSON.object([("holds", "\(result.holds)"), ("checks", "[" + checks.joined(separator: ",") + "]")])
    }
}
