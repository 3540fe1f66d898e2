using System.Collections.Immutable;
using System.Globalization;
using System.Security.Claims;
using KcdDelegation.Benchmarks.Tickets;
using KcdDelegation.Headers;
using KcdDelegation.Http;
using KcdDelegation.Identity;
using KcdDelegation.Kerberos;
using KcdDelegation.Settings;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KcdDelegation.Benchmarks.Connections;

/// <summary>A delegation source whose tickets exist already. A caller is named by the number of the ticket.</summary>
internal sealed class FixedDelegation(Uri backend, DelegatedCredential[] credentials) : IDelegationSource
{
    private readonly ApplicationSettings _application = new(
        "app", backend, ServicePrincipalName.Parse(TicketSet.Service), TokenFormat.Kerberos, AuthenticationStart.Preemptive,
        MutualAuthentication.Off, ChannelBinding: true, ShareConnectionsBetweenUsers: false,
        new ClientSettings(
            TicketSet.Realm, "gw", KeyFileKind.PasswordFile, "none",
            new RealmKdcs(ImmutableSortedDictionary<string, ImmutableArray<KdcEndpoint>>.Empty)),
        new MappingContext { ApplicationName = "app", Realm = TicketSet.Realm },
        new CallerPolicy(TenantId: null, AllowGuests: false, AllowApplicationTokens: false));

    ILogger IDelegationSource.Logger => NullLogger.Instance;

    ILogger IDelegationSource.Audit => NullLogger.Instance;

    TimeProvider IDelegationSource.TimeProvider => TimeProvider.System;

    public static ClaimsPrincipal[] CreateCallers(int count) =>
    [
        .. Enumerable.Range(0, count).Select(number => new ClaimsPrincipal(
            new ClaimsIdentity([new Claim(ClaimTypes.Name, number.ToString(CultureInfo.InvariantCulture))], "benchmark"))),
    ];

    ApplicationSettings IDelegationSource.GetApplication(string name) => _application;

    ValueTask<DelegatedCredential> IDelegationSource.DelegateAsync(
        ApplicationSettings application, ClaimsPrincipal caller, CancellationToken cancellationToken) =>
        ValueTask.FromResult(credentials[int.Parse(caller.Identity!.Name!, CultureInfo.InvariantCulture)]);

    ValueTask<DelegatedCredential?> IDelegationSource.ReplaceAsync(
        ApplicationSettings application, DelegatedCredential refused, CancellationToken cancellationToken) =>
        ValueTask.FromResult<DelegatedCredential?>(null);
}
