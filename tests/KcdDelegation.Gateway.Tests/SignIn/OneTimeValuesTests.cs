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

    [Fact]
    public void A_value_with_a_file_is_refused_after_a_restart_and_by_another_process_until_its_end()
    {
        var directory = Directory.CreateTempSubdirectory("kcd-values-");
        var path = Path.Combine(directory.FullName, "logout-tokens");
        var (values, other) = (new OneTimeValues(_time, path), new OneTimeValues(_time, path));
        values.TryUse("a", _time.GetUtcNow().AddMinutes(1)).ShouldBeTrue();
        values.TryUse("b", DateTimeOffset.MaxValue).ShouldBeTrue();

        other.TryUse("a", _time.GetUtcNow().AddMinutes(1)).ShouldBeFalse();
        new OneTimeValues(_time, path).TryUse("a", _time.GetUtcNow().AddMinutes(1)).ShouldBeFalse();
        new OneTimeValues(_time, path).TryUse("b", DateTimeOffset.MaxValue).ShouldBeFalse();

        Directory.GetFiles(path).Length.ShouldBe(2);
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            foreach (var file in Directory.GetFiles(path))
                File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
        _time.Advance(TimeSpan.FromMinutes(1));
        new OneTimeValues(_time, path).TryUse("a", _time.GetUtcNow().AddMinutes(1)).ShouldBeTrue();
        directory.Delete(recursive: true);
    }

    [Fact]
    public void A_value_that_cannot_be_stored_is_remembered_by_the_process()
    {
        var directory = Directory.CreateTempSubdirectory("kcd-values-");
        var values = new OneTimeValues(_time, Path.Combine(directory.FullName, "logout-tokens"));
        directory.Delete(recursive: true);

        Should.Throw<IOException>(() => values.TryUse("a", _time.GetUtcNow().AddMinutes(1)));
        values.TryUse("a", _time.GetUtcNow().AddMinutes(1)).ShouldBeFalse();
    }
}
