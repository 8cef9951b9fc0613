import ArgumentParsing
import RESP

/// `kvctl snapshot list`: the snapshots that the nodes of the local cluster still have.
enum SnapshotList {
    private static let columns = ["id", "state", "strict", "part", "part-bytes", "in-flight"]

    static func run(_ values: Values) throws(Failure) -> Int32 {
        let cluster = try ClusterDirectory(values[Tool.data]).file()
        var objects: [String] = []
        var text = ""
        var answered = 0
        for node in cluster.nodes {
            let items: [[String: Reply]]
            do throws(Failure) { items = try SnapshotTake.list(of: node) } catch {
                text += "node \(node.id): \(error)\n"
                continue
            }
            answered += 1
            for item in items {
                let fields = columns.map { ($0, item[$0] ?? .null) }
                objects.append(
                    JSON.object([("node", "\(node.id)")] + fields.map { (JSON.camelCase($0), JSON.value($1)) }))
                text += "node \(node.id): snapshot \(item["id"]?.text ?? "?"), \(item["state"]?.text ?? "?")"
                text += item["strict"] == .integer(1) ? ", strict" : ""
                text += ", part \(item["part"]?.text ?? "?")"
                if case .integer(let bytes)? = item["part-bytes"], bytes > 0 { text += ", \(StatusText.bytes(bytes))" }
                text += "\n"
            }
        }
        if values[Tool.json] {
            Console.output("[" + objects.joined(separator: ",") + "]\n")
        } else {
            Console.output(text.isEmpty ? "no node has a snapshot; take one with 'kvctl snapshot take DIR'\n" : text)
        }
        return answered > 0 ? 0 : 1
    }
}
