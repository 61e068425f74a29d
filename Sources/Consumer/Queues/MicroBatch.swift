/// How many of the waiting images a free thread takes.
enum MicroBatch {
    /// At most ceil(waiting ÷ free threads), so that no thread stays idle while another has a queue of its own, and at
    /// most `maximum`. `free` counts the thread that asks.
    static func size(waiting: Int, free: Int, maximum: Int) -> Int {
        let threads = max(free, 1)
        return min((waiting + threads - 1) / threads, maximum)
    }
}
