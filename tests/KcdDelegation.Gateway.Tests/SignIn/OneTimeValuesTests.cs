using System.Globalization;
using KcdDelegation.Gateway.SignIn;
using Microsoft.Extensions.Time.Testing;

namespace KcdDelegation.Gateway.Tests.SignIn;

public sealed class OneTimeValuesTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_value_is_accepted_once_until_its_end()
    {
        var values = new OneTimeValues(_time);
        values.TryUse("a", _time.GetUtcNow().AddMinutes(1)).ShouldBeTrue();
        values.TryUse("a", _time.GetUtcNow().AddMinutes(1)).ShouldBeFalse();
        _time.Advance(TimeSpan.FromMinutes(1));

        values.TryUse("b", _time.GetUtcNow().AddMinutes(1)).ShouldBeTrue();
        values.TryUse("a", _time.GetUtcNow().AddMinutes(1)).ShouldBeTrue();
    }

    [Fact]
    public void The_number_of_values_is_bounded()
    {
        var values = new OneTimeValues(_time);
        for (var i = 0; i <= OneTimeValues.Capacity; i++)
            values.TryUse(i.ToString(CultureInfo.InvariantCulture), _time.GetUtcNow().AddSeconds(i + 1)).ShouldBeTrue();

        values.TryUse("0", _time.GetUtcNow().AddDays(2)).ShouldBeTrue();
        values.TryUse("2", _time.GetUtcNow().AddDays(2)).ShouldBeFalse();
    }
}
