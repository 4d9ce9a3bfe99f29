#include <liaison/kit/xml_elements.hpp>

#include <gtest/gtest.h>

namespace liaison::kit {
namespace {

std::string cut(std::string_view text) { return without_elements(text, {"Guarantee", "cc_*"}); }

TEST(XmlElements, WhatIsNamedIsEmptiedAndTheRestStaysAsItIs) {
    EXPECT_EQ(cut("<a x='1'><Guarantee y=\"2\"><b>4111</b></Guarantee>t</a>"), "<a x='1'><Guarantee/>t</a>");
    EXPECT_EQ(cut("<a><Guarantee z='4111'/><b/></a>"), "<a><Guarantee/><b/></a>");
    EXPECT_EQ(cut("<a><!-- RUID --><![CDATA[<b>]]></a>"), "<a><!-- RUID --><![CDATA[<b>]]></a>");
    EXPECT_EQ(cut("{\"json\": 1}"), "{\"json\": 1}");
    EXPECT_EQ(cut(""), "");
}

TEST(XmlElements, NamesAreComparedWithoutPrefixAndCase) {
    EXPECT_EQ(cut("<a><ota:GUARANTEE>4111</ota:GUARANTEE><Guarantees>x</Guarantees></a>"),
              "<a><ota:GUARANTEE/><Guarantees>x</Guarantees></a>");
    EXPECT_EQ(cut("<c><cc_number>4111</cc_number><cc_cvc>1</cc_cvc><ccx>2</ccx></c>"),
              "<c><cc_number/><cc_cvc/><ccx>2</ccx></c>");
}

TEST(XmlElements, NothingInsideEndsItTooEarly) {
    const char* nested = "<a><Guarantee><Guarantee>1</Guarantee>4111</Guarantee>t</a>";
    EXPECT_EQ(cut(nested), "<a><Guarantee/>t</a>");
    EXPECT_EQ(cut("<a><Guarantee><![CDATA[</Guarantee>]]>4111</Guarantee>t</a>"), "<a><Guarantee/>t</a>");
    EXPECT_EQ(cut("<a><Guarantee><!-- </Guarantee> -->4111</Guarantee>t</a>"), "<a><Guarantee/>t</a>");
    EXPECT_EQ(cut("<a><Guarantee><b v='</Guarantee>'/>4111</Guarantee>t</a>"), "<a><Guarantee/>t</a>");
    EXPECT_EQ(cut("<a><Guarantee x=\"/>\">4111</Guarantee>t</a>"), "<a><Guarantee/>t</a>");
}

TEST(XmlElements, WhatIsCutOffOrInAnotherEncodingDoesNotGetThrough) {
    EXPECT_EQ(cut("<a><Guarantee><b>4111"), "<a><Guarantee/>");
    EXPECT_EQ(cut("<a><Guarantee n='4111"), "<a><Guarantee/>");
    EXPECT_EQ(cut(std::string_view("<\0G\0u\0>\0", 8)), "");
}

}  // namespace
}  // namespace liaison::kit
