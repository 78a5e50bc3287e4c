from ircolor.baselines import BASELINES
from ircolor.nets import NETS
from tests.baselines import test_baselines
from tests.contracts.net_contract import NetContract
from tests.nets import test_colornet, test_edgenet, test_lite_unet


def test_every_net_keeps_the_contract() -> None:
    modules = (test_colornet, test_edgenet, test_lite_unet, test_baselines)
    contracts = [value for module in modules for value in vars(module).values() if isinstance(value, type)]
    checked = {
        contract.name for contract in contracts if issubclass(contract, NetContract) and hasattr(contract, "name")
    }
    assert checked == set(NETS) | set(BASELINES)
