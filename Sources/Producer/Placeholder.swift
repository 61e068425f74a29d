@main
struct Producer {
    static func main() {}
}
