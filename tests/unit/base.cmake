# unit_test(base/test_x libs...) lines
