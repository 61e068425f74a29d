@main
struct InferenceBenchmark {
    static func main() {}
}
