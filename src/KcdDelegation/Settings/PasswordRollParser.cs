using System.Collections.Immutable;
using System.Globalization;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Settings;

/// <summary>The parser of the settings of an account that changes its own password.</summary>
internal static class PasswordRollParser
{
    /// <summary>The port of the change-password protocol (RFC 3244 §1).</summary>
    private const int PasswordPort = 464;

    private static readonly TimeSpan MinInterval = TimeSpan.FromHours(1);
    private static readonly TimeSpan MaxTime = TimeSpan.FromDays(365);

    /// <summary>Parses the settings. Returns null if there are none.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="kind">The kind of the account's key file.</param>
    /// <param name="key">The key of the settings.</param>
    /// <param name="errors">The errors that are found.</param>
    public static PasswordRoll? Parse(PasswordRollSettings? options, KeyFileKind kind, string key, SettingsErrors errors)
    {
        if (options is null)
            return null;
        if (kind != KeyFileKind.PasswordFile)
        {
            errors.Add(key, kind == KeyFileKind.Keytab ? "is set together with Keytab" : "is set together with ManagedPassword",
                "Set PasswordFile to the path of a file with the account's password, or remove this setting");
        }
        CheckTime(options.Interval, MinInterval, MaxTime, $"{key}:Interval", errors);
        CheckTime(options.OldKeyLifetime, TimeSpan.Zero, MaxTime, $"{key}:OldKeyLifetime", errors);
        return new PasswordRoll(options.Interval, options.OldKeyLifetime, ParseServers(options.Servers, $"{key}:Servers", errors));
    }

    private static ImmutableArray<KdcEndpoint> ParseServers(IList<string> texts, string key, SettingsErrors errors)
    {
        var servers = ImmutableArray.CreateBuilder<KdcEndpoint>();
        for (var i = 0; i < texts.Count; i++)
        {
            if (KdcEndpoint.TryParse(texts[i], PasswordPort, out var server))
                servers.Add(server);
            else
                errors.Add($"{key}:{i}", $"{PrintableText.Quoted(texts[i])} is not a password server",
                    "Write dc1.contoso.com, dc1.contoso.com:464 or udp/dc1.contoso.com");
        }
        return servers.ToImmutable();
    }

    private static void CheckTime(TimeSpan time, TimeSpan min, TimeSpan max, string key, SettingsErrors errors)
    {
        if (time < min || time > max)
        {
            errors.Add(key, string.Create(CultureInfo.InvariantCulture, $"{time:c} is out of range"),
                string.Create(CultureInfo.InvariantCulture, $"Write a time from {min:c} to {max:c}; one day is 1.00:00:00"));
        }
    }
}
