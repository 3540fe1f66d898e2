using System.Globalization;
using KcdDelegation.Kerberos;
using KcdDelegation.Settings;

namespace KcdDelegation.AspNetCore.Health;

/// <summary>Checks the accounts, their KDCs, the clock and the applications once. Uses the tickets in the cache where there are
/// any.</summary>
internal sealed class ReadinessProbe(DelegationClient client, KcdHealthOptions options, AccountLogOns logOns)
{
    /// <summary>Returns a finding for every subject. Never throws because of a failed check.</summary>
    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        foreach (var account in client.Applications.GroupBy(application => application.Client))
        {
            var subject = $"the account {account.Key.AccountName} of the realm {account.Key.Realm}";
            if (await logOns.LogOnAsync(account.Key, cancellationToken).ConfigureAwait(false) is { } failure)
            {
                // Without a log-on there are no tickets, so nothing else is requested.
                findings.Add(Finding.Failed(subject, Severity.Failed, failure));
                continue;
            }
            findings.Add(Finding.Passed(subject));
            findings.Add(await CheckKdcsAsync(account.Key, cancellationToken).ConfigureAwait(false));
            findings.Add(CheckClock(account.Key));
            foreach (var application in account)
            {
                if (GetProbeUser(application) is { } user)
                    findings.Add(await CheckApplicationAsync(application, user, cancellationToken).ConfigureAwait(false));
            }
        }
        return findings;
    }

    private async Task<Finding> CheckKdcsAsync(ClientSettings account, CancellationToken cancellationToken)
    {
        var subject = $"the KDCs of the realm {account.Realm}";
        try
        {
            await client.GetEngine(account).ProbeKdcAsync(cancellationToken).ConfigureAwait(false);
            return Finding.Passed(subject);
        }
        catch (KerberosException error)
        {
            // The account is logged on, so users with tickets are served for their rest of life.
            return Finding.Failed(subject, Severity.Degraded, KcdException.Explain(error));
        }
    }

    private Finding CheckClock(ClientSettings account)
    {
        var subject = $"the clock of the realm {account.Realm}";
        return client.GetEngine(account).ClockOffset is { } offset && offset.Duration() > options.MaxClockOffset
            ? new Finding(
                subject,
                Severity.Degraded,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The KDC's clock differed by {offset:c} from this machine's clock at the last log-on; the limit is "
                        + $"{options.MaxClockOffset:c}."),
                "Synchronise this machine and the domain controllers with NTP.")
            : Finding.Passed(subject);
    }

    private async Task<Finding> CheckApplicationAsync(
        ApplicationSettings application, string user, CancellationToken cancellationToken)
    {
        var subject = $"the application {application.Name} ({application.Service})";
        try
        {
            var principal = user.Contains('@', StringComparison.Ordinal)
                ? KerberosPrincipal.Enterprise(user)
                : KerberosPrincipal.Principal(user, application.Mapping.UserRealm);
            // The rules for callers hold for the probe as well: it must not get a ticket of an administrator.
            application.Callers.CheckName(principal);
            await client.GetEngine(application.Client).GetTicketAsync(principal, application.Service, cancellationToken)
                .ConfigureAwait(false);
            return Finding.Passed(subject);
        }
        catch (KcdException refusal)
        {
            return Finding.Failed(subject, Severity.Failed, refusal);
        }
        catch (KerberosException error)
        {
            return Finding.Failed(subject, Severity.Failed, KcdException.Explain(error));
        }
        catch (ArgumentException error)
        {
            return new Finding(
                subject,
                Severity.Failed,
                $"The probe user is not a valid name: {error.Message}",
                "Correct ProbeUser of the health checks.");
        }
    }

    private string? GetProbeUser(ApplicationSettings application) =>
        options.ProbeUsers.TryGetValue(application.Name, out var user) ? user : options.ProbeUser;
}
