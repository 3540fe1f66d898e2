using System.Reflection;
using System.Runtime.CompilerServices;

namespace KcdDelegation.Tests.Conventions;

/// <summary>Each fails once, with every violation listed.</summary>
public sealed class NamingTests
{
    private const BindingFlags Own =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static IEnumerable<Type> Types =>
        new[] { Repository.Engine, Repository.Library, Repository.Kit }.SelectMany(assembly => assembly.GetTypes())
        .Where(type => type.GetCustomAttribute<CompilerGeneratedAttribute>() is null
            && type.Namespace?.StartsWith("KcdDelegation", StringComparison.Ordinal) == true
            && !type.Name.StartsWith('<') && type.DeclaringType?.GetCustomAttribute<CompilerGeneratedAttribute>() is null);

    [Fact]
    public void Methods_that_give_a_task_end_in_Async_and_take_their_token_last()
    {
        var violations =
            from type in Types
            where !typeof(Delegate).IsAssignableFrom(type)
            from method in type.GetMethods(Own)
            where !method.Name.Contains('<') && !method.IsSpecialName && IsTask(method.ReturnType) && !IsGivenByOthers(method)
            let parameters = method.GetParameters()
            let takesToken = Array.Exists(parameters, parameter => parameter.ParameterType == typeof(CancellationToken))
            where !method.Name.EndsWith("Async", StringComparison.Ordinal)
                || (takesToken && parameters[^1].ParameterType != typeof(CancellationToken))
            select $"{type.FullName}.{method.Name}";
        violations.ShouldBeEmpty();
    }

    [Fact]
    public void Classes_are_sealed_abstract_or_static() =>
        Types.Where(type => type.IsClass && !type.IsSealed && !type.IsAbstract && !typeof(Delegate).IsAssignableFrom(type))
            .Select(type => type.FullName).ShouldBeEmpty();

    [Fact]
    public void No_type_is_named_like_a_namespace()
    {
        var namespaces = Types.SelectMany(type => type.Namespace!.Split('.')).ToHashSet(StringComparer.Ordinal);
        Types.Where(type => namespaces.Contains(type.Name)).Select(type => type.FullName).ShouldBeEmpty();
    }

    [Fact]
    public void Public_types_live_in_the_package_s_own_namespace()
    {
        var violations =
            from assembly in new[] { Repository.Engine, Repository.Library, Repository.Kit }
            from type in assembly.GetExportedTypes()
            where type.Namespace != assembly.GetName().Name && type.Namespace != "Microsoft.Extensions.DependencyInjection"
            select type.FullName;
        violations.ShouldBeEmpty();
    }

    [Fact]
    public void No_room_is_named_after_a_kind() =>
        new[] { "KcdDelegation.Kerberos", "KcdDelegation", "KcdDelegation.Testing", "KcdDelegation.Tool" }.SelectMany(
            Repository.SourceFiles)
            .Select(file => Path.GetRelativePath(Repository.Root, file))
            .Where(file => file.Split('/', '\\')
                .Any(part => part is "Utils" or "Util" or "Helpers" or "Common" or "Misc" or "Internal" or "Models"))
            .ShouldBeEmpty();

    private static bool IsTask(Type type) =>
        type == typeof(Task) || type == typeof(ValueTask)
        || (type.IsGenericType
            && (type.GetGenericTypeDefinition() == typeof(Task<>) || type.GetGenericTypeDefinition() == typeof(ValueTask<>)));

    /// <summary>Overrides and interface implementations have the names that their declarer gave them.</summary>
    private static bool IsGivenByOthers(MethodInfo method) =>
        method.GetBaseDefinition().DeclaringType != method.DeclaringType || method.Name.Contains('.')
            || (method.IsVirtual && method.IsFinal);
}
