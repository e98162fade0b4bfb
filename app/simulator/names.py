"""Names of invented people, Vietnamese and English, and telephone numbers that reach nobody."""

import random


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FAMILY = words("Nguyễn Trần Lê Phạm Hoàng Phan Vũ Đặng Bùi Đỗ Hồ Ngô Dương Lý")
MIDDLE = words("Thị Văn Minh Thanh Ngọc Quốc Thu Hữu Gia Bảo")
GIVEN = words(
    "An Bình Châu Dũng Giang Hà Hạnh Hiếu Hoa Hùng Hương Khánh Lan Linh Long Mai Nam Nga "
    "Phong Phúc Quân Quỳnh Sơn Thảo Trang Trung Tú Tuấn Vy Yến"
)
FIRST = words(
    "Alice Ben Carol Daniel Emma Frank Grace Henry Isla Jack Kate Liam Mia Noah Olivia "
    "Peter Ruby Sam Tessa William"
)
LAST = words(
    "Adams Baker Clark Davies Evans Foster Green Harris Irwin Jones King Lewis Moore "
    "Nolan Owens Parker Reed Scott Turner Young"
)


def people_names(count: int, chance: random.Random) -> list[str]:
    """`count` names, three in four Vietnamese; a number is added when all have been used."""
    names: list[str] = []
    seen: dict[str, int] = {}
    for _ in range(count):
        name = _name(chance)
        for _ in range(20):
            if name not in seen:
                break
            name = _name(chance)
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return names


def _name(chance: random.Random) -> str:
    if chance.random() < 0.25:
        return f"{chance.choice(FIRST)} {chance.choice(LAST)}"
    return f"{chance.choice(FAMILY)} {chance.choice(MIDDLE)} {chance.choice(GIVEN)}"


def phone_number(chance: random.Random) -> str:
    """Vietnam withdrew its 11-digit mobile numbers in 2018; North America keeps 555-01xx free."""
    if chance.random() < 0.08:
        area = chance.choice(("202", "303", "415", "617", "808"))
        return f"1{area}55501{chance.randrange(100):02d}"
    return f"{chance.choice(('0120', '0121', '0126', '0163', '0168'))}{chance.randrange(10**7):07d}"
