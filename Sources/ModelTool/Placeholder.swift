@main
struct ModelTool {
    static func main() {}
}
