using System.Collections.Immutable;
using KcdDelegation.Settings;

namespace KcdDelegation.Tickets;

/// <summary>The applications of settings that were replaced while the process runs. Tickets that were requested under them may still be in
/// use, so that a purge maps its caller by them too. Thread-safe.</summary>
internal sealed class ReplacedApplications
{
    /// <summary>The limit on applications. The oldest ones are forgotten first; their tickets have ended after that many changes.</summary>
    private const int MaxApplications = 256;

    private ImmutableArray<ApplicationSettings> _all = [];

    public ImmutableArray<ApplicationSettings> All => _all;

    /// <summary>Adds the applications that the new settings do not contain in the same form.</summary>
    public void Add(KcdSettings replaced, KcdSettings current)
    {
        ImmutableInterlocked.Update(ref _all, all =>
        {
            var known = all.AddRange(current.Applications.Values);
            var added = replaced.Applications.Values.Where(application => !known.Any(other => IsSame(application, other)));
            all = all.AddRange(added);
            return all.Length <= MaxApplications ? all : all.RemoveRange(0, all.Length - MaxApplications);
        });
    }

    /// <summary>Determines whether two applications give every caller the same name, and request a ticket to the same service.</summary>
    private static bool IsSame(ApplicationSettings left, ApplicationSettings right) =>
        string.Equals(left.Name, right.Name, StringComparison.OrdinalIgnoreCase)
        && left.Service == right.Service && left.Callers == right.Callers && IsSame(left.Mapping, right.Mapping);

    /// <summary>Compares the suffixes by value, because each parse of the settings creates new ones.</summary>
    private static bool IsSame(MappingContext left, MappingContext right) =>
        left with { UserPrincipalSuffixes = right.UserPrincipalSuffixes } == right
        && left.UserPrincipalSuffixes.Count == right.UserPrincipalSuffixes.Count
        && left.UserPrincipalSuffixes.All(
            suffix => right.UserPrincipalSuffixes.TryGetValue(suffix.Key, out var realm) && realm == suffix.Value);
}
