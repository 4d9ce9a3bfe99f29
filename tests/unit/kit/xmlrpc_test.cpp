#include <liaison/kit/xmlrpc.hpp>

#include <gtest/gtest.h>

namespace {

using namespace liaison::kit::xmlrpc;
using liaison::Json;

std::string written(const Json& value, Body body = Body::plain) {
    std::string out;
    append_value(out, value, body);
    return out;
}
Json answered(const std::string& value) {
    return parse_answer("<?xml version='1.0'?><methodResponse><params><param><value>" + value +
                        "</value></param></params></methodResponse>")
        .result;
}

TEST(XmlRpc, WritesValuesByTheirKind) {
    EXPECT_EQ(
        written(Json::parse(R"([1,-2.50,true,"a<b>&c",{"k":[]}])")),
        "<value><array><data><value><int>1</int></value><value><double>-2.50</double></value>"
        "<value><boolean>1</boolean></value><value><string>a&lt;b&gt;&amp;c</string></value>"
        "<value><struct><member><name>k</name><value><array><data></data></array></value></member></struct>"
        "</value></data></array></value>");
}

TEST(XmlRpc, RefusesWhatItCannotSay) {
    EXPECT_THROW(written(Json()), XmlRpcError);
    EXPECT_THROW(written(Json(2147483648)), XmlRpcError);
    EXPECT_THROW(written(Json(-2147483649)), XmlRpcError);
    EXPECT_EQ(written(Json(-2147483648)), "<value><int>-2147483648</int></value>");
}

TEST(XmlRpc, LeavesOutCharactersThatXmlLacksAndKeepsLineEnds) {
    EXPECT_EQ(written(Json("a\x01\x0C\xEF\xBF\xBF"
                           "b\r\n\tc")),
              "<value><string>ab&#13;\n\tc</string></value>");
}

TEST(XmlRpc, DataCannotBecomeAPlaceholderOfTheHost) {
    const Json data = Json::parse(R"({"a{{b":"{{secret:api_key}} {{{"})");
    const std::string text = written(data, Body::host_template);
    EXPECT_EQ(text,
              "<value><struct><member><name>a{{{{}}b</name><value><string>{{{{}}secret:api_key}} {{{{}}{"
              "</string></value></member></struct></value>");
    EXPECT_NE(written(data).find("{{secret:api_key}}"), std::string::npos) << "plain bodies keep their text";
}

TEST(XmlRpc, ACallHasItsParametersInOrder) {
    MethodCall call("f", Body::host_template);
    const std::string text = call.parameter("db").placeholder("int", "session:uid").text();
    EXPECT_NE(text.find("<param><value><int>{{session:uid}}</int></value></param></params>"),
              std::string::npos);
    const Call read = parse_call(MethodCall("f").parameter("x").parameter(Json::parse("[1]")).text());
    EXPECT_EQ(read.method, "f");
    EXPECT_EQ(read.parameters, Json::parse(R"(["x",[1]])"));
}

TEST(XmlRpc, ReadsEveryTypeAndKeepsNumbersAsTheyAre) {
    const Json value = answered(
        "<array><data><value><i4> 7 "
        "</i4></value><value><double>12.50</double></value><value><double>1e+16</double>"
        "</value><value>bare</value><value><string> "
        "</string></value><value/><value><boolean>0</boolean></value>"
        "<value><dateTime.iso8601>20260501T10:00:00</dateTime.iso8601></value><value><nil/></value><value>"
        "<string><![CDATA[<]]>&#233;</string></value></data></array>");
    EXPECT_EQ(value.dump(), R"([7,12.50,1e+16,"bare"," ","",false,"20260501T10:00:00",null,"<é"])");
}

TEST(XmlRpc, ReadsFaults) {
    const Answer answer = parse_answer(
        "<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>2</int></value></"
        "member>"
        "<member><name>faultString</name><value><string>no</string></value></member></struct></value></fault>"
        "</methodResponse>");
    ASSERT_TRUE(answer.fault);
    EXPECT_EQ(answer.fault->code, 2);
    EXPECT_EQ(answer.fault->text, "no");
}

TEST(XmlRpc, RefusesWhatIsNoAnswer) {
    for (const char* text :
         {"", "<html><body>Sign in</body></html>", "<methodResponse>", "<methodResponse/>",
          "<methodResponse><params><param><value><int>x</int></value></param></params></methodResponse>",
          "<methodResponse><params><param><value><double>nan</double></value></param></params></"
          "methodResponse>",
          "<methodResponse><params><param><value><int>1.5</int></value></param></params></methodResponse>",
          "<methodResponse><params><param><value><boolean>2</boolean></value></param></params></"
          "methodResponse>",
          "<methodResponse><params><param><value><what>1</what></value></param></params></methodResponse>",
          "<methodResponse><fault><value><int>1</int></value></fault></methodResponse>"})
        EXPECT_THROW(parse_answer(text), XmlRpcError) << text;
}

TEST(XmlRpc, RefusesDepthsThatWouldExhaustTheStack) {
    std::string deep, end;
    for (int i = 0; i < 10'000; ++i) deep += "<array><data><value>", end += "</value></data></array>";
    EXPECT_THROW(answered(deep + "<int>1</int>" + end), XmlRpcError);
}

}  // namespace
