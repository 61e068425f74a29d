@main
struct EmbeddedBroker {
    static func main() {}
}
