import Base

extension Arguments {
    /// Makes some words the arguments. They are copied: the list has their bytes until its next arguments.
    package func replace(with words: [[UInt8]]) {
        scratch.removeAll()
        for word in words { scratch.append(word) }
        removeAll(over: scratch.view)
        var offset = 0
        for word in words {
            append(offset: offset, count: word.count)
            offset += word.count
        }
        check(offset == scratch.count, "the arguments are all that was copied")
    }
}
