// Lists whose pages are counted, edited by the vendor's own people while they are read.
#include <gmock/gmock.h>

#include "hub.hpp"
#include "integrations.hpp"
#include "until.hpp"

namespace liaison_system {
namespace {

constexpr int many = 1'000;

struct Edited {
    const char* edit;
    const char* entity;  // at the shop: products have page numbers, customers offsets
    const char* hub_entity;
    int every;
};

class EditedLists : public testing::TestWithParam<Edited> {};

TEST_P(EditedLists, LoseNothingThatIsThere) {
    const Edited& edited = GetParam();
    const std::string list = std::string("shop/") + edited.entity;
    House house;
    house.seed(list, many);
    house.set("shop", std::string(R"({"edit":")") + edited.edit + R"(","edit_pages_every":)" +
                          std::to_string(edited.every) + "}");
    house.configure(shop({std::string("[") + edited.hub_entity + "]"}));
    house.start();
    const boost::json::object run = house.run("shop");
    EXPECT_EQ(text_of(run, "status"), "success") << text_of(run, "error");
    const Fields name =
        edited.hub_entity == std::string("product") ? product_fields : Fields{{"/company_name", "/company"}};
    // What was made after the last page was read belongs to the next run.
    boost::json::array there;
    for (const boost::json::value& record : vendor_records(house, list)) {
        if (number_of(record.as_object(), "id") <= many) there.push_back(record);
    }
    EXPECT_TRUE(hub_knows(Hub(house), "shop", edited.hub_entity, there, "/id", name));
}

INSTANTIATE_TEST_SUITE_P(
    Pages, EditedLists,
    testing::Values(Edited{"delete", "products", "product", 5}, Edited{"touch", "products", "product", 5},
                    Edited{"add", "products", "product", 1}, Edited{"delete", "customers", "customer", 1},
                    Edited{"touch", "customers", "customer", 1}, Edited{"add", "customers", "customer", 1}),
    [](const auto& info) { return std::string(info.param.edit) + "_" + info.param.entity; });

// Nobody can read a list by page numbers that moves with every request. It says so, and asks again later.
TEST(EditedListsThatNeverRest, AreSaidToMove) {
    House house;
    house.seed("shop/products", many);
    house.set("shop", R"({"edit_pages_every":1})");
    house.configure(shop({"[product]"}));
    house.start();
    const boost::json::object run = house.run("shop");
    EXPECT_EQ(text_of(run, "status"), "partial");
    EXPECT_THAT(text_of(run, "error"), testing::HasSubstr("moved while it was read"));
    house.set("shop", R"({"edit_pages_every":0})");
    house.wait_for_status("shop", number_of(run, "id"), "success");
    EXPECT_TRUE(hub_knows(Hub(house), "shop", "product", vendor_records(house, "shop/products"), "/id",
                          product_fields));
}

}  // namespace
}  // namespace liaison_system
