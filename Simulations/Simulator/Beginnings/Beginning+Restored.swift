import Base
import Consensus
import Database
import Node
import Storage

extension Beginning {
    /// A new cluster that begins with a restored state.
    init(_ restoration: Restoration, nodes: Int, random: inout RandomGenerator) {
        let clusterID = ClusterID(high: random.next(), low: random.next())
        identities = []
        files = []
        for index in 0..<nodes {
            let identity = NodeIdentity(clusterID: clusterID, nodeID: NodeID(UInt32(index + 1)), salt: random.next())
            var directory = RestoredDirectory(restoration, identity: identity, nodeCount: nodes, fileID: random.next())
            let made = MemoryDirectory()
            made.install(NodeIdentity.fileName, identity.encode())
            while true {
                let actions = directory.next(budgetBytes: 1 + random.index(below: 1 << 14))
                if actions.isEmpty { break }
                for action in actions { made.perform(action) }
            }
            identities.append(identity)
            files.append(made.files)
        }
        wall = restoration.time
        committedFrom = restoration.index
        committedTerms = restoration.index == .zero ? [] : [restoration.term]
        (knownBy, knownIn, entryTerm) = (restoration.source, restoration.term, restoration.term)
        let digest = restoration.machine.digest()
        states =
            restoration.index == .zero
            ? [] : [State(node: NodeID(1), appliedIndex: restoration.index, digest: digest.high ^ digest.low)]
    }
}
