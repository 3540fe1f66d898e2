using KcdDelegation.Kerberos.Transport;

namespace KcdDelegation.Kerberos.Tests.Transport;

public sealed class SrvRecordTests
{
    [Fact]
    public void The_lowest_priority_comes_first() =>
        SrvRecord.Order([Record(20, 9, "c"), Record(0, 0, "a"), Record(10, 5, "b")]).Select(record => record.Target)
            .ShouldBe(["a", "b", "c"]);

    [Fact]
    public void The_weight_determines_how_often_a_record_of_equal_priority_comes_first()
    {
        var first = Enumerable.Range(0, 2000)
            .Select(_ => SrvRecord.Order([Record(0, 90, "heavy"), Record(0, 10, "light"), Record(0, 0, "none")])[0].Target)
            .CountBy(target => target)
            .ToDictionary();

        // The expected shares are 90, 10 and 1 of 101. The bounds are at least ten standard deviations away.
        first["heavy"].ShouldBeInRange(1500, 1990);
        first["light"].ShouldBeInRange(20, 500);
        first.GetValueOrDefault("none").ShouldBeLessThan(200);
    }

    [Fact]
    public void All_records_are_kept_for_all_weights()
    {
        SrvRecord[] records = [Record(0, 0, "a"), Record(0, 0, "b"), Record(0, ushort.MaxValue, "c"), Record(0, ushort.MaxValue, "d")];

        SrvRecord.Order(records).ShouldBe(records, ignoreOrder: true);
    }

    private static SrvRecord Record(ushort priority, ushort weight, string target) =>
        new(priority, weight, 88, target, TimeSpan.FromMinutes(1));
}
