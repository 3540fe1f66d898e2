using KcdDelegation.Kerberos;
using KcdDelegation.Settings;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The facts about one application. Not thread-safe.</summary>
internal sealed class ApplicationFacts(AccountFacts account, ApplicationSettings settings, UserFacts? user)
{
    private Task<IReadOnlyList<AccountRecord>>? _holders;

    public ApplicationSettings Settings => settings;

    /// <summary>Gets the further origin of the application that these facts are about; null for the one of its InternalUrl.</summary>
    public Uri? Origin { get; init; }

    /// <summary>Gets the name in a report.</summary>
    public string Name => Origin is null ? settings.Name : $"{settings.Name} at {Origin.GetLeftPart(UriPartial.Authority)}";

    /// <summary>Gets the setting that has the address, and its application.</summary>
    public string AddressSetting => $"{(Origin is null ? "InternalUrl" : "AdditionalOrigins")} of {settings.Name}";

    public ServicePrincipalName Service => settings.Service;

    /// <summary>Gets the service without its realm, as the directory writes it.</summary>
    public string ServiceName => Service.Realm is { } realm ? Service.ToString()[..^(realm.Length + 1)] : Service.ToString();

    public UserFacts? User => user;

    /// <summary>Gets what the backend answers.</summary>
    public required BackendFacts Backend { get; init; }

    /// <summary>Finds the accounts that hold the service principal name, under its own class or under the class HOST, which stands for
    /// HTTP too (MS-ADTS §3.1.1.5.1.3).</summary>
    public Task<IReadOnlyList<AccountRecord>> GetHoldersAsync(CancellationToken cancellationToken) =>
        _holders ??= FindHoldersAsync(cancellationToken);

    private async Task<IReadOnlyList<AccountRecord>> FindHoldersAsync(CancellationToken cancellationToken)
    {
        if ((await account.GetDirectoryAsync(cancellationToken).ConfigureAwait(false)).Facts is not { } directory)
            return [];
        var holders = await directory.FindHoldersAsync([ServiceName], cancellationToken).ConfigureAwait(false);
        return holders.Count == 0 && string.Equals(Service.ServiceClass, "HTTP", StringComparison.OrdinalIgnoreCase)
            ? await directory.FindHoldersAsync(
                [$"HOST{ServiceName[ServiceName.IndexOf('/', StringComparison.Ordinal)..]}"], cancellationToken)
                .ConfigureAwait(false)
            : holders;
    }
}
