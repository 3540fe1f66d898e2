using System.Reflection;
using System.Text;

namespace KcdDelegation.Tests.Conventions;

/// <summary>The public surface, written down: a change of it shows in a diff. With KCD_WRITE_DOCS=1 the snapshots are written.</summary>
public sealed class PublicApiTests
{
    public static TheoryData<string> Packages => ["KcdDelegation.Kerberos", "KcdDelegation", "KcdDelegation.Testing"];

    [Theory]
    [MemberData(nameof(Packages))]
    public async Task The_public_surface_is_the_one_that_was_written_down(string package)
    {
        var assembly = new[] { Repository.Engine, Repository.Library, Repository.Kit }.Single(assembly => assembly.GetName().Name == package);
        var file = Path.Combine(Repository.Root, "tests", "KcdDelegation.Tests", "Conventions", $"PublicApi.{package}.verified.txt");
        var api = Describe(assembly);
        if (Environment.GetEnvironmentVariable("KCD_WRITE_DOCS") == "1")
            await File.WriteAllTextAsync(file, api, TestContext.Current.CancellationToken);
        (await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)).ShouldBe(api);
    }

    [Fact]
    public void Engine_and_library_have_at_most_forty_two_public_types() =>
        (Repository.Engine.GetExportedTypes().Length + Repository.Library.GetExportedTypes().Length).ShouldBeLessThanOrEqualTo(42);

    private static string Describe(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var type in assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            text.Append(Kind(type)).Append(' ').Append(type.FullName);
            var bases = type.GetInterfaces().Where(face => face.IsPublic && face.Assembly == assembly || face == typeof(IDisposable) || face == typeof(IAsyncDisposable)).Select(Name).Order(StringComparer.Ordinal);
            if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType) && parent != typeof(Enum))
                bases = bases.Prepend(Name(parent)).Order(StringComparer.Ordinal);
            var list = string.Join(", ", bases);
            text.Append(list.Length > 0 ? " : " + list : "").Append('\n');
            foreach (var member in Members(type))
                text.Append("    ").Append(member).Append('\n');
        }
        return text.ToString();
    }

    private static string Kind(Type type) =>
        type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType ? "struct" : type.IsAbstract && type.IsSealed ? "static class" : type.IsAbstract ? "abstract class" : "class";

    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum)
            return Enum.GetNames(type).Select(name => $"{name} = {Convert.ToInt64(Enum.Parse(type, name), null)}").Order(StringComparer.Ordinal);
        const BindingFlags own = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        var constructors = type.GetConstructors(own).Where(IsVisible).Select(constructor => $".ctor({Parameters(constructor)})");
        var properties = type.GetProperties(own).Where(property => property.GetMethod is { } get && IsVisible(get))
            .Select(property => $"{(property.GetMethod!.IsStatic ? "static " : "")}{Name(property.PropertyType)} {property.Name} {{ get;{(property.SetMethod is { } set && IsVisible(set) ? IsInit(set) ? " init;" : " set;" : "")} }}");
        var methods = type.GetMethods(own).Where(method => IsVisible(method) && !method.IsSpecialName && method.Name is not ("Equals" or "GetHashCode" or "ToString" or "PrintMembers" or "<Clone>$" or "Deconstruct"))
            .Select(method => $"{(method.IsStatic ? "static " : "")}{Name(method.ReturnType)} {method.Name}({Parameters(method)})");
        return constructors.Concat(properties).Concat(methods).Order(StringComparer.Ordinal);
    }

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily;

    private static bool IsInit(MethodInfo set) => set.ReturnParameter.GetRequiredCustomModifiers().Any(modifier => modifier.Name == "IsExternalInit");

    private static string Parameters(MethodBase method) =>
        string.Join(", ", method.GetParameters().Select(parameter => $"{Name(parameter.ParameterType)} {parameter.Name}{(parameter.HasDefaultValue ? " = " + (parameter.DefaultValue ?? "default") : "")}"));

    private static string Name(Type type)
    {
        if (type.IsByRef)
            return "ref " + Name(type.GetElementType()!);
        if (!type.IsGenericType)
            return type.Name;
        return $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>";
    }
}
