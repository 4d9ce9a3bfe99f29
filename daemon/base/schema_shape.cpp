// Which places a schema knows, for configuration that speaks about fields.
#include "base/schema_node.hpp"

namespace liaisond {
namespace {

using Node = Schema::Node;
using Nodes = std::vector<const Node*>;

// The node and everything that it refers to or offers as an alternative.
void unfold(const Node* node, Nodes& into) {
    if (node == nullptr || node->never || std::find(into.begin(), into.end(), node) != into.end()) return;
    into.push_back(node);
    unfold(node->reference, into);
    for (const Node* choice : node->any_of) unfold(choice, into);
    for (const Node* choice : node->one_of) unfold(choice, into);
}

Nodes inside(const Nodes& nodes, const std::string& token) {
    Nodes found;
    for (const Node* node : nodes) {
        const Node* property = node->property(token);
        unfold(property != nullptr ? property : node->additional, found);
        const bool is_index =
            token == "*" || (!token.empty() && token.find_first_not_of("0123456789") == std::string::npos);
        if (is_index) unfold(node->items, found);
    }
    return found;
}

}  // namespace

std::optional<Schema::Shape> Schema::shape(const std::vector<std::string>& path) const {
    Nodes here;
    unfold(root_, here);
    for (const std::string& token : path) {
        here = inside(here, token);
        if (here.empty()) return std::nullopt;
    }
    Shape shape;
    for (const Node* node : here) {
        shape.is_list |= node->items != nullptr;
        for (const Node::Property& property : node->properties) shape.members.push_back(property.name);
    }
    return shape;
}

}  // namespace liaisond
