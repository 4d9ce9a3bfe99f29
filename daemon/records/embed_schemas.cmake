# Writes OUTPUT, a source file that holds every SCHEMAS file as a literal.
set(entries "")
foreach(file ${SCHEMAS})
    get_filename_component(entity ${file} NAME_WE)
    file(READ ${file} text)
    string(APPEND entries "    {\"${entity}\",\n")
    string(LENGTH "${text}" length)
    set(at 0)
    while(at LESS length)
        string(SUBSTRING "${text}" ${at} 4000 piece)
        string(APPEND entries "R\"schema(${piece})schema\"\n")
        math(EXPR at "${at} + 4000")
    endwhile()
    string(APPEND entries "},\n")
endforeach()
file(WRITE ${OUTPUT} "// Made from plugin-api/schemas; do not edit.
#include \"records/canonical_data.hpp\"
namespace liaisond::records {
static constexpr CanonicalSchemaText texts[] = {
${entries}};
std::span<const CanonicalSchemaText> canonical_schema_texts() { return texts; }
}  // namespace liaisond::records
")
