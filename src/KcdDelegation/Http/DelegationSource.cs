using System.Security.Claims;
using KcdDelegation.Settings;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Http;

/// <summary>All that HTTP needs of the authenticator.</summary>
/// <param name="Application">The settings in force of an application by its name; throws <see cref="KcdException"/>, and has logged it, if there
/// is none.</param>
/// <param name="Credential">A ticket for the caller; throws <see cref="KcdException"/>, for HTTP to log, if there is none.</param>
/// <param name="Logger">Takes the events 4xxx and 13022.</param>
/// <param name="Audit">Takes the refusals.</param>
/// <param name="Time">For the life of idle connections.</param>
internal sealed record DelegationSource(
    Func<string, ApplicationSettings> Application,
    Func<ApplicationSettings, ClaimsPrincipal, CancellationToken, ValueTask<DelegatedCredential>> Credential,
    ILogger Logger,
    ILogger Audit,
    TimeProvider Time);
