using System.Security.Claims;
using KcdDelegation.Diagnosis;
using KcdDelegation.DirectoryServices.Accounts;
using KcdDelegation.DirectoryServices.Client;
using KcdDelegation.Identity;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Names;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KcdDelegation.DirectoryServices;

/// <summary>A mapper that finds the caller's account in the directory: by the SID of the claim <c>onprem_sid</c>, or by the name that
/// another mapper gives. Thread-safe.</summary>
/// <remarks>The result is the account's sAMAccountName in the realm of its domain, with its SID, which the engine compares with the ticket.
/// A name that may mean two accounts, and an account that may not be delegated, are refused before a KDC is asked.</remarks>
public sealed class DirectoryIdentityMapper : IIdentityMapper
{
    private readonly DirectoryAccounts _accounts;
    private readonly DirectoryIdentityOptions _options;
    private readonly IIdentityMapper _names;
    private readonly AccountCache _cache;
    private readonly ILogger _logger;

    /// <summary>Creates a mapper.</summary>
    /// <param name="accounts">The accounts of the directory.</param>
    /// <param name="options">The options; null for the defaults.</param>
    /// <param name="names">The mapper that gives the name of a caller without a SID; null for <see cref="ClaimsIdentityMapper"/>.</param>
    /// <param name="timeProvider">The clock of the cache; null for the system's.</param>
    /// <param name="loggerFactory">The factory of the logger; null for none.</param>
    public DirectoryIdentityMapper(
        DirectoryAccounts accounts,
        DirectoryIdentityOptions? options = null,
        IIdentityMapper? names = null,
        TimeProvider? timeProvider = null,
        ILoggerFactory? loggerFactory = null)
    {
        ArgumentNullException.ThrowIfNull(accounts);
        _accounts = accounts;
        _options = options ?? new DirectoryIdentityOptions();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(_options.MaxCacheEntries);
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.CacheTime, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.MaxStaleAge, TimeSpan.Zero);
        _names = names ?? new ClaimsIdentityMapper();
        _cache = new AccountCache(_options.MaxCacheEntries, timeProvider ?? TimeProvider.System);
        _logger = loggerFactory?.CreateLogger<DirectoryClient>() ?? NullLogger<DirectoryClient>.Instance;
    }

    /// <inheritdoc/>
    public async ValueTask<KerberosPrincipal> MapAsync(ClaimsPrincipal caller, MappingContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(context);
        var sid = CallerClaims.Read(caller, []).FindSecurityIdentifier();
        if (sid is not null && !KerberosPrincipal.IsSecurityIdentifier(sid))
        {
            throw DelegationFailure.Identity(
                KcdErrorKind.UserNotPermitted, KcdEventId.NameRefused,
                $"The caller's claim onprem_sid is no SID: {PrintableText.Quoted(sid)}.",
                "Have the issuer send the on-premises security identifier, or no such claim.").ToException();
        }
        var name = sid is null ? await _names.MapAsync(caller, context, cancellationToken).ConfigureAwait(false) : null;
        var account = await GetAccountAsync(sid, name, cancellationToken).ConfigureAwait(false);
        return KerberosPrincipal.Principal(account.SamAccountName, account.Realm) with
        {
            SecurityIdentifier = account.SecurityIdentifier,
        };
    }

    private async Task<DirectoryAccount> GetAccountAsync(string? sid, KerberosPrincipal? name, CancellationToken cancellationToken)
    {
        // The kinds never share a key: a SID has no space.
        var key = sid ?? $"{name!.Type} {name}";
        var isCached = _cache.TryGet(key, out var cached);
        if (isCached && cached.Age < _options.CacheTime)
            return cached.Account;
        try
        {
            return await _cache.FindAsync(key, () => SearchAsync(sid, name), cancellationToken).ConfigureAwait(false);
        }
        catch (DirectoryException error)
        {
            if (isCached && _options.WhenUnavailable == DirectoryOutage.UseCache && cached.Age <= _options.MaxStaleAge)
            {
                DirectoryLog.AccountFromCache(_logger, cached.Age, error.Message);
                return cached.Account;
            }
            throw new DelegationFailure(
                KcdStage.Identity, KcdErrorKind.Unavailable, KcdEventId.DirectoryUnavailable,
                $"The directory cannot be asked for the caller's account: {PrintableText.From(error.Message)}",
                "Restore the directory. To serve known callers meanwhile, set WhenUnavailable to UseCache.")
            { IsTransient = error.Failure is DirectoryFailure.Unavailable }.ToException(error);
        }
        catch (KcdException)
        {
            // The directory has answered: what was known before is no longer true.
            _cache.Remove(key);
            throw;
        }
    }

    /// <remarks>Other callers may wait for the search, so it does not end with one of them. The client's time-out ends it.</remarks>
    private async Task<DirectoryAccount> SearchAsync(string? sid, KerberosPrincipal? name)
    {
        var found = sid is not null
            ? await _accounts.FindBySecurityIdentifierAsync(sid).ConfigureAwait(false)
            : await _accounts.FindByNameAsync(name!).ConfigureAwait(false);
        var subject = PrintableText.From(sid ?? name!.ToString());
        return found switch
        {
            [] => throw DelegationFailure.Identity(
                KcdErrorKind.UserNotPermitted, KcdEventId.AccountNotFound,
                $"The directory has no account for {subject}.",
                "Check that the account exists in the domain that is searched and that the reader may see it.").ToException(),
            [{ State: AccountState.Usable } account] => account,
            [var account] => throw DelegationFailure.Identity(
                KcdErrorKind.UserNotPermitted, KcdEventId.AccountNotDelegable,
                $"The account {PrintableText.From(account.SamAccountName)} may not be delegated: {Describe(account.State)}.",
                "If this is not intended, change the account in the directory. The change is seen with the next request.").ToException(),
            _ => throw DelegationFailure.Identity(
                KcdErrorKind.UserNotPermitted, KcdEventId.AccountNotUnique,
                $"{found.Count} accounts match {subject}: "
                    + $"{string.Join(" and ", found.Select(account => PrintableText.Quoted(account.SamAccountName)))}.",
                "Correct the userPrincipalName of one of them, or have the issuer send onprem_sid, which names one account.")
                .ToException(),
        };
    }

    private static string Describe(AccountState state)
    {
        (AccountState State, string Text)[] texts =
        [
            (AccountState.Disabled, "it is disabled"),
            (AccountState.Expired, "it has expired"),
            (AccountState.Locked, "it is locked after wrong passwords"),
            (AccountState.Sensitive, "it is sensitive and cannot be delegated"),
            (AccountState.ProtectedUser, "it is a member of Protected Users"),
        ];
        return string.Join(" and ", texts.Where(each => state.HasFlag(each.State)).Select(each => each.Text));
    }
}
