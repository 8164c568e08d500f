# unit_test(objstore/test_x libs...) lines
