import ArgumentParsing

/// `kvctl snapshot list`: the snapshots that the nodes of the local cluster still have.
enum SnapshotList {
    static func run(_ values: Values) throws(Failure) -> Int32 {
        let cluster = try ClusterDirectory(values[Tool.data]).file()
        var objects: [String] = []
        var text = ""
        var answered = 0
        for node in cluster.nodes {
            var server = SnapshotServer(node)
            let items: [SnapshotFacts]
            do throws(Failure) { items = try server.list() } catch {
                text += "node \(node.id): \(error.message)\n"
                objects.append(JSON.object([("node", "\(node.id)"), ("error", JSON.string(error.message))]))
                continue
            }
            answered += 1
            for item in items {
                objects.append(
                    JSON.object([
                        ("node", "\(node.id)"), ("id", JSON.string(item.id)), ("state", JSON.string(item.state)),
                        ("strict", "\(item.isStrict)"), ("part", JSON.string(item.part)), ("partBytes", "\(item.partBytes)"),
                        ("manifestBytes", "\(item.manifestBytes)"), ("inFlight", "\(item.inFlight)"),
                    ]))
                text += "node \(node.id): snapshot \(item.id), \(item.state)\(item.isStrict ? ", strict" : ""), part \(item.part)"
                if item.partBytes > 0 { text += ", \(StatusText.bytes(Int64(item.partBytes)))" }
                if item.manifestBytes > 0 { text += ", has the manifest" }
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
