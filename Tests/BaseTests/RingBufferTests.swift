import Base
import Testing

@Suite struct RingBufferTests {
    @Test func behavesLikeAnArray() {
        var random = RandomGenerator(seed: 3)
        var ring = RingBuffer<Int>()
        var model: [Int] = []
        for step in 0..<20_000 {
            switch random.index(below: 5) {
            case 0, 1:
                ring.append(step)
                model.append(step)
            case 2:
                #expect(ring.popFirst() == (model.isEmpty ? nil : model.removeFirst()))
            case 3:
                #expect(ring.popLast() == model.popLast())
            default:
                if !model.isEmpty {
                    let index = random.index(below: model.count)
                    ring[index] = -step
                    model[index] = -step
                    #expect(ring[model.count / 2] == model[model.count / 2])
                }
            }
            #expect(ring.count == model.count && ring.first == model.first && ring.last == model.last)
        }
    }
}
