using KcdDelegation.Settings;

namespace KcdDelegation.Gateway.Settings;

/// <summary>Validates the settings of sessions.</summary>
internal static class SessionOptionsParser
{
    private const string Section = nameof(GatewayOptions.Sessions);

    private static readonly TimeSpan MaxLife = TimeSpan.FromDays(30);

    public static SessionOptions Parse(GatewayOptions options, SettingsErrors errors)
    {
        var sessions = options.Sessions;
        if (sessions.AbsoluteLife < TimeSpan.FromMinutes(1) || sessions.AbsoluteLife > MaxLife)
            errors.Add(
                $"{Section}:{nameof(SessionOptions.AbsoluteLife)}", $"{sessions.AbsoluteLife:c} is not between one minute and 30 days",
                "Write hours, minutes and seconds, such as 08:00:00");
        if (sessions.IdleLife < TimeSpan.FromMinutes(1) || sessions.IdleLife > MaxLife)
            errors.Add($"{Section}:{nameof(SessionOptions.IdleLife)}", $"{sessions.IdleLife:c} is not between one minute and 30 days",
                "Write hours, minutes and seconds, such as 01:00:00");
        if (sessions.MaxSessions is < 1 or > 1_000_000)
            errors.Add($"{Section}:{nameof(SessionOptions.MaxSessions)}", $"{sessions.MaxSessions} is not between 1 and 1000000",
                "Write a number such as 100000");
        if (sessions.MaxSessionsPerUser is < 1 or > 10_000)
            errors.Add(
                $"{Section}:{nameof(SessionOptions.MaxSessionsPerUser)}", $"{sessions.MaxSessionsPerUser} is not between 1 and 10000",
                "Write a number such as 100");
        if (options.State is null && options.IdentityProviders.Values.Any(static provider => provider.SignIn is not null))
            errors.Add(nameof(GatewayOptions.State), "is missing, but a provider has SignIn",
                "Write the path of a folder for sessions that only the gateway's user can read, such as /var/lib/kcd-gateway");
        return sessions;
    }
}
