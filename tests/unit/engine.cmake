# unit_test(engine/test_x libs...) lines
